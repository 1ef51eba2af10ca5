"""What an operator types: `./counter <command>`."""
