"""
What a sealed section may say: one pydantic model per form, answer or note.

The models are strict, because the sender is: what breaks a form's grammar is found before anything is sealed. They are
not demanding: nearly every field may be left out or unknown, for an emergency is never held up by a form. What is
still empty is shown (`shown.completeness`), not enforced. Reading what others wrote is `sections.read_section`.
"""
