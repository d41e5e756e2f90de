"""What is planted: for every entity, values in the forms that people write, and words around them.

    spec.py        how much is planted, and how much of it must be masked
    copies.py      a text, and what stands where in its copy
    kinds.py       what there is for every entity, of these:
    forms.py       how forms of numbers are written, and what draws one
    national.py    numbers that states give to people
    numbers.py     cards, accounts, documents, devices, secrets, addresses on the web
    words.py       names, places, streets, dates: from Faker and from lists
    places.py      streets and firms, as their countries name them
    checksums.py   check digits that python-stdnum does not know

Values are nobody's as far as that can be: phones, cards, accounts, addresses of machines and social
security numbers come from ranges that are kept for fiction, tests and documentation. Other numbers
have no such range; theirs are drawn at random, and only the checksum is right.

A value that says nothing by itself (nine digits) is planted behind the words that people put before
it. Neither these nor the checks are taken from the recognisers, which would agree with themselves;
names are the exception, since the shipped model, too, was trained on names of Faker.
"""
