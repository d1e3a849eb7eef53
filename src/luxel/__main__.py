"""`python -m luxel` is `luxel`."""

from luxel.cli import main

if __name__ == "__main__":
    main()
