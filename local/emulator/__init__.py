"""The emulator as a child process, with the APIs it serves on the same port."""
