"""Runs of the real binary against an emulator of AWS, with faults put in between.

`README.md` in the folder above says what is where and how to run it.
"""
