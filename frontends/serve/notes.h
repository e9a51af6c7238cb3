/*
 * What the engine and the protocol do, as lines of text: the channels "packets", "events", "states" and "points" of
 * --trace. docs/TRACES.md says how to read them.
 */
#ifndef TL_FRONTENDS_SERVE_NOTES_H
#define TL_FRONTENDS_SERVE_NOTES_H

#include "core/engine/engine.h"

/* A packet that came from the client or goes to it, without its frame. */
void tl_notes_packet(bool from_client, const void *payload, tl_size size);

/* A note of the engine's. */
void tl_notes_engine(const struct tl_note *note);

#endif
