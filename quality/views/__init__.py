"""Pages of the chapter: parse, command or selector, render."""
