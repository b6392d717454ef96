# Where the pages that docs/plugins.md names are when it is installed beside them: deploy/sdk/install.cmake.
s|](\.\./plugins/examples/|](../examples/|g
