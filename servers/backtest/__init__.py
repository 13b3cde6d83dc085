"""The whole pipeline in one process and one thread: the same engines, fed from memory."""
