"""Decodes photos of strangers in processes of their own.

```
pool         the service's side: who decodes what, and for how long
processes    a decoder and the fork server, as the service sees them
forkserver   a process of one thread, of which decoders are copies
decoder      such a copy: limits on itself, and the loop
limits       what one photo may take
protocol     what they say to each other
opening      the pool as the settings want it, or none where the system lacks what it needs
```
"""

from facematch_server.decoding.errors import DecoderError, OutOfTimeError

__all__ = ["DecoderError", "OutOfTimeError"]
