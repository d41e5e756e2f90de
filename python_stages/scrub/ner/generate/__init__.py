"""Text of which every entity is known: templates filled with values, then disturbed.

Nothing here is taken from real documents. Templates (templates/*.txt) are our own sentences with
slots in braces; values come from Faker, babel, the lists beside this file and from words made up
letter by letter, so that a model learns where names stand and not which names there are.
"""
