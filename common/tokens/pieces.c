#include "tokens/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"
#include "tokens/kinds.h"

void pieces_add_bytes(Pieces *p, const char *bytes, size_t len, int at)
{
    if (p->len + len + 1 > p->room) {
        p->room = 2 * (p->len + len) + 16;
        p->bytes = xrealloc(p->bytes, p->room);
    }
    if (p->n == p->at_room) {
        p->at_room = p->at_room * 3 / 2 + 16;
        p->at = xrealloc(p->at, (size_t)p->at_room * sizeof *p->at);
    }
    memcpy(p->bytes + p->len, bytes, len);
    p->len += len;
    p->bytes[p->len++] = 0;
    p->at[p->n++] = at;
}

void pieces_add(Pieces *p, const int *code, int n, int at)
{
    char one[4];
    if (n == 0) return;
    pieces_add_bytes(p, one, (size_t)utf8_encode(code[0], one), at);
    for (int i = 1; i < n; i++) {
        const size_t size = (size_t)utf8_encode(code[i], one);
        p->len--; /* removes the terminating 0; pieces_add_bytes writes it again */
        p->n--;
        pieces_add_bytes(p, one, size, at);
    }
}

Pieces pieces_cut(const TokenKind *kind, TokenLayout layout, const char *text, size_t len)
{
    return kind->cut(text, len, layout, true);
}

const char *piece_next(const char *piece)
{
    return piece + strlen(piece) + 1;
}

void pieces_free(Pieces *p)
{
    free(p->bytes), free(p->at);
    *p = (Pieces){0};
}
