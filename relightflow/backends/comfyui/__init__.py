"""A ComfyUI server of the user's own: free, no key, workflows from the operator."""
