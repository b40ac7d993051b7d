"""The `urls` source: images from web addresses, fetched with care and remembered."""
