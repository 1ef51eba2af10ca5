"""The version of the distribution, the plugin, the schema and the release tag `v<version>`, in this one place."""

VERSION = "0.1.0"
