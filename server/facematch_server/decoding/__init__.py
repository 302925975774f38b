"""Decodes untrusted photos in separate processes.

```
decoder_pool in the service: gives photos to decoders, and ends the ones that take too long
processes    in the service: a decoder and the fork server as seen from outside
forkserver   a process with one thread; decoders are forks of it
decoder      such a fork: limits on itself, and its loop
limits       limits on one photo
messages     the messages between them
opening      builds the pool from the settings; none on systems that cannot run it
```
"""

from facematch_server.decoding.errors import DecoderError, OutOfTimeError

__all__ = ["DecoderError", "OutOfTimeError"]
