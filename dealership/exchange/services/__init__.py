"""Commands of the chapter, one module per root: the only callers of save, create, update and delete."""
