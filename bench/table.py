"""The table of a bench: medians of each competitor's samples, our ratio to the others, and whether an aim is met.

A row is {'unit', 'what', 'servers': {competitor: [samples] or the reason why there are none}}.
"""

import dataclasses
import statistics

OURS = 'trapline'
NOISE = 1.03  # two runs of one and the same competitor differ by this much


@dataclasses.dataclass(frozen=True)
class Aim:
    """At most `factor` times the figure of `against`, or of the best of all others; and at most `limit`."""
    factor: float | None = 1
    against: str | None = None
    limit: float | None = None

    def text(self, unit):
        parts = [] if self.limit is None else [f'<= {self.limit:g} {unit}']
        if self.factor is not None and self.against is not None:
            parts.append(f'<= {self.factor:.2f} of {self.against}')
        elif self.factor is not None:
            parts.append('no slower than the best')
        return ', '.join(parts)


def figure(samples):
    return statistics.median(samples) if isinstance(samples, list) else None


def judge(aim, row):
    """(ratio of ours to what the row aims at, whether the aim is met); None where there is no figure."""
    figures = {server: figure(samples) for server, samples in row['servers'].items()}
    ours = figures.pop(OURS, None)
    others = [value for server, value in figures.items() if value is not None and aim.against in (None, server)]
    if ours is None:
        return None, None
    ratio = None if not others else ours / min(others) if min(others) else 1.0
    verdicts = []
    if aim.limit is not None:
        verdicts.append(ours <= aim.limit)
    if aim.factor is not None and ratio is not None:
        verdicts.append(ratio <= aim.factor * NOISE)
    return ratio, all(verdicts) if verdicts else None


def print_table(rows, names, aims):
    """Prints it; how many aims are not met. A row without an entry in `aims` aims at the best of the others."""
    width = max(len(row['what']) for row in rows.values())
    print(f'{"":{width}}  {"unit":8}' + ''.join(f'{name:>13}' for name in names) + f'{"ratio":>9}  aim')
    unmet = 0
    for name, row in rows.items():
        cells = ''
        for server in names:
            value = figure(row['servers'].get(server, ''))
            cells += f'{"-":>13}' if value is None else f'{value:13.2f}'
        aim = aims.get(name, Aim())
        ratio, met = judge(aim, row)
        unmet += met is False
        verdict = '' if met is None else (', met' if met else ', NOT MET')
        print(f'{row["what"]:{width}}  {row["unit"]:8}{cells}' + (f'{ratio:9.2f}' if ratio else f'{"-":>9}') +
              f'  {aim.text(row["unit"])}{verdict}')
    for row in rows.values():
        for server, samples in row['servers'].items():
            if isinstance(samples, str):
                print(f'  - {row["what"]}: {server}: {samples}')
    return unmet
