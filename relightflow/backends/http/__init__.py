"""What every paid provider's HTTP has in common: sessions, keys, hosts, one billable POST, downloads.

Nothing in here knows a provider. Each brings its hosts, its header for the key and its own reading of
answers; what must hold for all of them (send once, never follow with a key, cap every body, say how far
a call came) stands here once.
"""
