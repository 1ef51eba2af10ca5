"""The local cloud: the program that `pulumi up` runs, on an emulator on this machine."""
