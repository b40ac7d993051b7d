"""The paid provider Comfy Router: partners' models behind one address, with a key for every call."""
