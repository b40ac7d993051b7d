"""Recipe + images → Plan: matrix, sampling, selection, names, price. Pure: no I/O in here."""
