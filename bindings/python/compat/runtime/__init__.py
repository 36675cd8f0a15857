"""Import path of programs written for the earlier, Python-only processor."""
