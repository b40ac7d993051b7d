"""What plugin authors test with: conformance kits, and a clock that does not wait."""
