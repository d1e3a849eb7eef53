"""`python -m luxel.cli` is `luxel`; so torchrun can start it."""

from luxel.cli import main

if __name__ == "__main__":
    main()
