"""Rows of settings in which every two values of different factors meet in at least one row.

Deterministic: a row is begun with the first pair that has not met yet, and filled with the values
that bring the most new pairs, the earlier value where two bring as many.
"""
import itertools


def rows(factors, valid):
    """factors: {name: [values]}. valid(row) tells whether a row, with some names missing, may be."""
    names = list(factors)

    def pair(a, x, b, y):
        return (a, x, b, y) if names.index(a) < names.index(b) else (b, y, a, x)

    left = [(a, x, b, y) for a, b in itertools.combinations(names, 2) for x in factors[a] for y in factors[b]
            if valid({a: x, b: y})]
    open_pairs = dict.fromkeys(left)  # a set in order
    while open_pairs:
        a, x, b, y = next(iter(open_pairs))
        row = complete({a: x, b: y}, factors, valid, open_pairs, pair)
        if row is None:  # cannot be completed: no row has this pair
            del open_pairs[(a, x, b, y)]
            continue
        for a, b in itertools.combinations(names, 2):
            open_pairs.pop((a, row[a], b, row[b]), None)
        yield row


def complete(row, factors, valid, open_pairs, pair):
    """Fills a row up. Returns None when no valid one begins like this."""
    missing = [n for n in factors if n not in row]
    if not missing:
        return row
    name = missing[0]
    news = {v: sum(pair(name, v, other, row[other]) in open_pairs for other in row) for v in factors[name]}
    for value in sorted(factors[name], key=lambda v: -news[v]):
        longer = {**row, name: value}
        whole = complete(longer, factors, valid, open_pairs, pair) if valid(longer) else None
        if whole:
            return whole
    return None


def unmet(factors, valid, found):
    """The pairs that no row has, although every row of all factors could."""
    def met(a, x, b, y, some):
        return any(row[a] == x and row[b] == y for row in some)

    every = [row for row in (dict(zip(factors, v)) for v in itertools.product(*factors.values())) if valid(row)]
    return [(a, x, b, y) for a, b in itertools.combinations(factors, 2) for x in factors[a] for y in factors[b]
            if not met(a, x, b, y, found) and met(a, x, b, y, every)]
