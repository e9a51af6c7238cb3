"""Sessions about a processor that was asked to stop and does not come. For sessions.py."""

from bare_machine import PROCESSORS, leave  # pylint: disable=wrong-import-position,import-error
from expects import Failed, check, expect  # pylint: disable=wrong-import-position,import-error

DEAF = 2
WAIT = 60


def stop_all(client):
    """^C; the stop and what the stub said at the console on the way."""
    client.output.clear()
    client.write(b'\x03')
    stop = client.wait_stop('the stop after an interrupt', WAIT)
    check(stop.signal == 2, f'{stop} is no stop by an interrupt')
    return stop, client.output.decode()


def go_round(client, names):
    """Some processor goes through `meet`."""
    client.insert(0, names['meet'])
    hit = client.run(timeout=WAIT)
    check(hit.has('swbreak') and client.pc(hit.thread) == names['meet'], f'{hit} is no hit of the breakpoint')
    client.remove(0, names['meet'])
    stepped = client.step(hit.thread)
    check(stepped.thread == hit.thread, f'{stepped} is another processor')
    return hit


def deafen(client, names):
    """Processor 2 hears nothing any more. What the console says at the first stop after that."""
    client.set_word(names['deaf'], DEAF)
    client.insert(0, names['go_deaf'])
    stop = client.run(timeout=WAIT)
    check(stop.has('swbreak') and int(stop.thread, 16) == DEAF + 1, f'{stop} is not the one that goes deaf')
    client.remove(0, names['go_deaf'])
    client.output.clear()
    for _ in range(100):
        stop = go_round(client, names)
        if client.word(names['deafened'] + 8 * DEAF) != 0 and client.output:
            return stop, client.output.decode()
    raise Failed('it does not go deaf')


def rounds(client, names):
    return sum(client.word(names['rounds'] + 8 * number) for number in range(PROCESSORS))


def a_processor_that_does_not_come(machine):
    """The debugger hears which one, and is not kept waiting: all others can be looked at, stopped at points and stepped."""
    client, names = machine.client(), machine.symbols
    stop, said = deafen(client, names)
    check(f'Processor {DEAF} was asked to stop, and does not come' in said, f'the console says {said!r}')
    check(int(stop.thread, 16) != DEAF + 1, f'{stop} is the one that did not come')
    check(len(client.threads()) == PROCESSORS, 'it is no thread any more')
    for number in range(PROCESSORS):
        client.ask(f'Hg{number + 1:x}')
        values = client.ask('g')
        check((set(values) == {ord('x')}) == (number == DEAF), f'registers of processor {number}: {values}')
    before = rounds(client, names)
    for _ in range(2 * PROCESSORS):
        hit = go_round(client, names)
        check(int(hit.thread, 16) != DEAF + 1, f'{hit} is the one that did not come')
    check(rounds(client, names) > before, 'no processor makes any more rounds')
    client.output.clear()
    client.run(f's:{DEAF + 1:x}', timeout=WAIT)
    check(b'could not be made to run' in client.output, f'a step of it is told as {client.output}')
    client.resume()
    _, said = stop_all(client)
    check('does not come' not in said, f'it is told once more: {said!r}')
    leave(client)


def gdb_lists_one_that_does_not_come(machine):
    """Its registers are unavailable, and no error ends the list."""
    client, names = machine.client(), machine.symbols
    deafen(client, names)
    leave(client)
    text = machine.gdb(['info threads', 'thread 3', 'print $pc', 'print rounds[0] > 0', 'thread 1', 'backtrace 1', 'detach'])
    expect(text, r'Thread 3 "processor 2" +<unavailable> in \?\? \(\)', r'Thread 4 "processor 3" +[^<]', r'= 1$', r'^#0 ')


def one_that_comes_late(machine):
    """While all stand it comes after all, and can be looked at; and while all run it goes on like the others."""
    client, names = machine.client(), machine.symbols
    deafen(client, names)
    client.set_word(names['deaf'], PROCESSORS)
    client.ask(f'Hg{DEAF + 1:x}')
    for _ in range(1000):
        if b'x' not in client.ask('g'):
            break
    check(b'x' not in client.ask('g'), 'its registers are not there')
    client.resume()
    stop_all(client)
    deafen(client, names)
    client.resume()
    stop_all(client)
    client.set_word(names['deaf'], PROCESSORS)
    client.resume()
    _, said = stop_all(client)
    check('does not come' not in said, f'the console says {said!r}')
    first = client.word(names['rounds'] + 8 * DEAF)
    for _ in range(100):
        if client.word(names['rounds'] + 8 * DEAF) > first:
            break
        go_round(client, names)
    check(client.word(names['rounds'] + 8 * DEAF) > first, 'it makes no rounds')
    leave(client)
