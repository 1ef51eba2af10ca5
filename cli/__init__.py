"""The command line, `./counter <command>`. All but `checkout` works wherever the functions' code is installed."""
