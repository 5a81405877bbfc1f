"""The only code that talks to the outside: thin, typed, with time-outs, errors translated."""
