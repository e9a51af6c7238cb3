"""Sessions about exclusive sequences of 64-bit Arm. For sessions.py."""

import bytecode  # pylint: disable=wrong-import-position,import-error
from bare_machine import PROCESSORS, leave  # pylint: disable=wrong-import-position,import-error
from expects import check  # pylint: disable=wrong-import-position,import-error

NEVER = [bytecode.always(0) + bytecode.END]


def claims(client, names):
    """What all have added up, and how often each says that it has."""
    return client.word(names['claimed']), [client.word(names['claims'] + 8 * n) for n in range(PROCESSORS)]


def everybody_claims(client, names, times):
    """Every processor gets through the sequence so many times more, and each time it has added one."""
    for number in range(PROCESSORS):
        at = names['claims'] + 8 * number
        wanted = bytecode.equal(bytecode.word(at), bytecode.constant(client.word(at) + times))
        client.insert(0, names['meet'], conditions=[wanted + bytecode.END])
        stop = client.run()
        # Accesses that were made while everybody stopped are told yet.
        while any(stop.has(word) for word in ('watch', 'rwatch', 'awatch')):
            stop = client.run()
        check(client.pc(stop.thread) == names['meet'], f'{stop} is at {client.pc(stop.thread):#x}')
        client.remove(0, names['meet'])
    added, each = claims(client, names)
    check(0 <= added - sum(each) <= PROCESSORS, f'{added} was added up, by {each}')


def points_inside_exclusive_sequences(machine):
    """Conditions that are false are asked between a load-exclusive and its store, and at both: the store stores all the same."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['claiming'], 1)
    for kind in (0, 1):
        for place in ('claim_load', 'claim_inside', 'claim_store'):
            client.insert(kind, names[place], conditions=NEVER)
            everybody_claims(client, names, 5)
            client.remove(kind, names[place])
    leave(client)


def exclusive_stores_are_watched(machine):
    """Each store is told once, when it is done, with whoever made it; in between nobody is kept from storing."""
    client, names = machine.client(), machine.symbols
    watched = names['claimed']
    client.insert(2, watched, 8)
    client.set_word(names['claiming'], 1)
    before, told = client.word(watched), {}
    for count in range(1, 25):
        stop = client.run()
        check(stop.has('watch') and int(stop.value('watch'), 16) == watched, f'{stop} is no watchpoint of ours')
        value = client.word(watched)
        check(count <= value - before <= count + PROCESSORS, f'after {count} stops it has become {value} from {before}')
        check(client.pc(stop.thread) == names['claim_store'] + 4, f'{stop} is told at {client.pc(stop.thread):#x}')
        told[stop.thread] = told.get(stop.thread, 0) + 1
    check(len(told) == PROCESSORS, f'{told} are told of, and not all')
    client.remove(2, watched, 8)
    everybody_claims(client, names, 5)
    leave(client)


def exclusive_loads_are_watched(machine):
    """A watchpoint for reads tells of the load, one for both of load and store, and the sequence stores behind them."""
    client, names = machine.client(), machine.symbols
    watched = names['claimed']
    client.set_word(names['claiming'], 1)
    for kind, word, places in ((3, 'rwatch', {'claim_load'}), (4, 'awatch', {'claim_load', 'claim_store'})):
        client.insert(kind, watched, 8)
        before, seen = client.word(watched), set()
        for _ in range(24):
            stop = client.run()
            check(stop.has(word) and int(stop.value(word), 16) == watched, f'{stop} is no {word} of ours')
            place = client.pc(stop.thread)
            seen |= {name for name in ('claim_load', 'claim_store') if names[name] < place}
        check(places <= seen and client.word(watched) > before, f'told at {seen}; {before} became {client.word(watched)}')
        client.remove(kind, watched, 8)
        everybody_claims(client, names, 5)
    leave(client)


def steps_lead_through_exclusive_sequences(machine):
    """A step from the load ends behind the store, which has stored; so does one with a breakpoint on the way whose condition is false."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['claiming'], 1)
    for kind in (None, 0, 1):
        for _ in range(8):
            client.insert(0, names['claim_load'])
            stop = client.run()
            client.remove(0, names['claim_load'])
            if kind is not None:
                client.insert(kind, names['claim_inside'], conditions=NEVER)
            before = client.word(names['claimed'])
            for _ in range(8):
                stop = client.step(stop.thread)
                if client.pc(stop.thread) == names['claim_end']:
                    break
            check(client.pc(stop.thread) == names['claim_end'], f'the steps lead to {client.pc(stop.thread):#x}')
            check(client.word(names['claimed']) == before + 1, f'{before} became {client.word(names["claimed"])}')
            if kind is not None:
                client.remove(kind, names['claim_inside'])
    leave(client)
