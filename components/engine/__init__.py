"""A Pulumi engine in Python: it takes the registrations of a program, transforms them, and answers as AWS would.

`monitor` records the resources and is what others build on; `answers` makes up what AWS computes; `values` and
`transforms` read the wire as the SDK writes it; `server` is the port for programs in a process of their own;
`stack_config` reads a project's files as the CLI does.
"""
