"""Object stores, as this program sees them: the only user of obstore.

Only its synchronous functions are used, in threads: its `*_async` ones can abort a process that has
done its work while it ends.
"""
