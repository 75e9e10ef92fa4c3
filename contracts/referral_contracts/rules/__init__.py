"""
The law's clocks: rules as dated data, the calendar they count by, and what becomes of a clock.

Pure: packs come in as texts, moments as milliseconds, the directory as a value. The deadline watcher, the command line
and an agency that checks what it is accused of ask the same functions.
"""
