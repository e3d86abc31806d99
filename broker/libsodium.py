"""Load libsodium's ristretto255 through rbcl, and leave no file behind.

rbcl carries libsodium inside itself: on import it writes the library to a fresh temporary file
(mode 0600, 2.8 MB), loads that file and leaves it there. One such file a process would fill the
temporary folder, and a file that lies about can be taken for something to load. Once the library
is mapped its name is not needed any more, so it is removed here, at once.

This is the only input or output below `broker.pseudonyms`, which is why it is a module of its own
and stands outside the pure packages. It needs a temporary folder that is writable and not mounted
`noexec`. It offers `rbcl`; only `broker.pseudonyms.group` imports it.
"""

from pathlib import Path

import rbcl

__all__ = ["rbcl"]

# `_name` is ctypes' record of the path from which a library was loaded.
Path(rbcl._sodium._name).unlink(missing_ok=True)  # noqa: SLF001 -- rbcl offers no other way
