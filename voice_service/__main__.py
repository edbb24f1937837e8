"""`python -m voice_service`."""

import sys

from voice_service.cli import main

sys.exit(main())
