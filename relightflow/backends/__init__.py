"""What relights: one adapter a file or folder."""
