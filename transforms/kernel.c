/* The inner loops of an example: resizes and measures an image, draws a mask, compresses a label.

   The results are those of resize.py, measure.py, rle.py and deflate_runs.py to the bit, which use NumPy where this
   file cannot be compiled: all sums are of integers, and exact. Every argument is a C-contiguous array, whose shape
   and contents are checked; the interpreter's lock is released meanwhile. _kernel.pyi describes all. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "codes are written as little-endian words; NumPy does it instead"
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* vectorises loops over pixels, whatever Python was built with */
#endif

enum {
    WEIGHT_BITS = 28,  /* a weight is an integer of 2^-28, in two parts: high * 2^14 + low */
    LOW_BITS = 14,
    LANES = 8,         /* the number of weights of a pixel is a multiple */
    MAX_WEIGHTS = 128, /* a sum of so many products of 8 and 16 bits fits into 32 */
    LONGEST = 258,     /* longest match of deflate, in bytes; its code is two bits, both 0 */
    MAX_CODE_BITS = 57,
    ADLER_MODULUS = 65521, /* of the checksum of a zlib stream */
    MAX_ITEMS = 1 << 27,   /* products of bytes and items fit into 64 bits */
    MAX_SUM = 8 * 255,     /* of the bytes of a number */
    MAX_ARRAYS = 8,
    MAX_WIDTH = 1 << 16, MAX_LINES = 257, /* the squares of a line fit into 32 bits, the sum of a column into 16 */
};

/* Bits, the lowest of a byte first; what is behind `end` is 0. */
typedef struct {
    uint8_t *bytes;
    size_t size;
    uint64_t end;
} Stream;

/* Works on arrays: returns 1; 0 if they do not fit together, or hold what they must not; -1 if memory is missing. */
typedef int Work(const Py_buffer *arrays, Stream *result);

/* Whether begin[i] rises from 0 to `size`. */
static int rises(const Py_buffer *begin, Py_ssize_t size)
{
    const int32_t *at = begin->buf;
    Py_ssize_t last = begin->shape[0] - 1;
    int right = last >= 1 && at[0] == 0 && at[last] == size;
    for (Py_ssize_t i = 0; right && i < last; i++) right = at[i] <= at[i + 1];
    return right;
}

/* ---- resize(target, source, first, high, low) ------------------------------------------------------------------ */

/* The sum of values times weights, as an integer of 2^-28. */
static int64_t weigh(const int16_t *values, const int16_t *high, const int16_t *low, Py_ssize_t count)
{
#ifdef __SSE2__
    __m128i highs = _mm_setzero_si128(), lows = highs;
    for (Py_ssize_t k = 0; k < count; k += LANES) {
        __m128i eight = _mm_loadu_si128((const __m128i *)(values + k));
        highs = _mm_add_epi32(highs, _mm_madd_epi16(eight, _mm_loadu_si128((const __m128i *)(high + k))));
        lows = _mm_add_epi32(lows, _mm_madd_epi16(eight, _mm_loadu_si128((const __m128i *)(low + k))));
    }
    __m128i sums = _mm_add_epi32(_mm_unpacklo_epi32(highs, lows), _mm_unpackhi_epi32(highs, lows));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, _MM_SHUFFLE(1, 0, 3, 2)));
    int64_t sum_high = _mm_cvtsi128_si32(sums), sum_low = _mm_cvtsi128_si32(_mm_srli_si128(sums, 4));
#else
    int32_t sum_high = 0, sum_low = 0;
    for (Py_ssize_t k = 0; k < count; k++) {
        sum_high += (int32_t)values[k] * high[k];
        sum_low += (int32_t)values[k] * low[k];
    }
#endif
    return (int64_t)sum_high * (1 << LOW_BITS) + sum_low;
}

/* Rounds half to even, and clamps. (A right shift of a negative number rounds down with every compiler in use.) */
static uint8_t to_grey(int64_t sum)
{
    int64_t rounded = (sum + ((int64_t)1 << (WEIGHT_BITS - 1)) - 1 + (sum >> WEIGHT_BITS & 1)) >> WEIGHT_BITS;
    return rounded < 0 ? 0 : rounded > 255 ? 255 : (uint8_t)rounded;
}

static int resize(const Py_buffer *arrays, Stream *unused)
{
    const Py_buffer *target = arrays, *source = arrays + 1, *first = arrays + 2, *high = arrays + 3, *low = arrays + 4;
    const Py_ssize_t width = target->shape[1], source_width = source->shape[1], count = high->shape[1];
    const int32_t *begin = first->buf;
    int fit = target->shape[0] == source->shape[0] && first->shape[0] == width && high->shape[0] == width &&
              low->shape[0] == width && low->shape[1] == count && count % LANES == 0 && count <= MAX_WEIGHTS;
    for (Py_ssize_t x = 0; fit && x < width; x++) fit = begin[x] >= 0 && begin[x] < source_width;
    if (!fit) return 0;
    int16_t *line = calloc(source_width + MAX_WEIGHTS, sizeof *line); /* weights behind its end meet zeros */
    if (!line) return -1;
    for (Py_ssize_t y = 0; y < source->shape[0]; y++) {
        const uint8_t *pixels = (const uint8_t *)source->buf + y * source_width;
        uint8_t *greys = (uint8_t *)target->buf + y * width;
        for (Py_ssize_t x = 0; x < source_width; x++) line[x] = pixels[x];
        for (Py_ssize_t x = 0; x < width; x++)
            greys[x] = to_grey(weigh(line + begin[x], (const int16_t *)high->buf + x * count,
                                     (const int16_t *)low->buf + x * count, count));
    }
    free(line);
    return 1;
}

/* ---- sum_blocks(blocks, squares, image, rows, columns) --------------------------------------------------------- */

static int sum_blocks(const Py_buffer *arrays, Stream *unused)
{
    const Py_ssize_t down = arrays[0].shape[0], across = arrays[0].shape[1], width = arrays[2].shape[1];
    const int32_t *rows = arrays[3].buf, *columns = arrays[4].buf;
    if (arrays[3].shape[0] != down + 1 || arrays[4].shape[0] != across + 1 || arrays[1].shape[0] != 1 ||
        !rises(arrays + 3, arrays[2].shape[0]) || !rises(arrays + 4, width) || width > MAX_WIDTH) return 0;
    uint64_t *blocks = memset(arrays[0].buf, 0, arrays[0].len), *squares = memset(arrays[1].buf, 0, arrays[1].len);
    uint16_t *sums = malloc(width * sizeof *sums); /* of the columns, over some lines of a row of blocks */
    if (!sums) return -1;
    for (Py_ssize_t i = 0; i < down; i++, blocks += across)
        for (Py_ssize_t y = rows[i], stop; y < rows[i + 1];) {
            memset(sums, 0, width * sizeof *sums);
            for (stop = Py_MIN(y + MAX_LINES, rows[i + 1]); y < stop; y++) {
                const uint8_t *pixels = (const uint8_t *)arrays[2].buf + y * width;
                uint32_t of_line = 0;
                for (Py_ssize_t x = 0; x < width; x++) sums[x] += pixels[x], of_line += (uint32_t)pixels[x] * pixels[x];
                *squares += of_line;
            }
            for (Py_ssize_t j = 0; j < across; j++)
                for (Py_ssize_t x = columns[j]; x < columns[j + 1]; x++) blocks[j] += sums[x];
        }
    free(sums);
    return 1;
}

/* ---- draw_down, draw_along(plane, runs, rows, columns) --------------------------------------------------------- */

/* Draws runs along lines; in the plane, the pixels of a line are `step` apart, and lines `line_step`. */
static int draw(const Py_buffer *arrays, const Py_buffer *line_begin, const Py_buffer *begin, Py_ssize_t line_step,
                Py_ssize_t step)
{
    const Py_buffer *plane = arrays, *runs = arrays + 1;
    if (runs->shape[1] != 2 || !rises(arrays + 2, plane->shape[0]) || !rises(arrays + 3, plane->shape[1])) return 0;
    const int32_t *line_at = line_begin->buf, *at = begin->buf;
    const int64_t length = begin->shape[0] - 1, pixels = length * (line_begin->shape[0] - 1);
    int64_t done = 0, before = 1;
    memset(plane->buf, 0, plane->len);
    for (Py_ssize_t i = 0; i < runs->shape[0]; i++) {
        const int64_t *run = (const int64_t *)runs->buf + 2 * i;
        if (run[0] < before || run[1] < 0 || run[1] > pixels || run[0] - 1 > pixels - run[1]) return 0;
        before = run[0];
        /* Pixels of an earlier run are not drawn again, so that the image bounds the work. */
        int64_t first = before - 1 > done ? before - 1 : done, stop = before - 1 + run[1];
        done = stop > done ? stop : done;
        while (first < stop) {
            int64_t line = first / length, line_stop = (line + 1) * length, end = line_stop < stop ? line_stop : stop;
            int32_t from = at[first - line * length], to = at[end - line * length];
            for (int32_t y = line_at[line]; y < line_at[line + 1]; y++)
                for (int32_t x = from; x < to; x++) ((uint8_t *)plane->buf)[y * line_step + x * step] = 1;
            first = end;
        }
    }
    return 1;
}

static int draw_down(const Py_buffer *a, Stream *unused) { return draw(a, a + 3, a + 2, 1, a->shape[1]); }
static int draw_along(const Py_buffer *a, Stream *unused) { return draw(a, a + 2, a + 3, a->shape[1], 1); }

/* ---- deflate_runs(plane, layout, header, codes, counts, sums, weighted) ---------------------------------------- */

/* Makes room for some bits and one more word. */
static int reserve(Stream *stream, uint64_t bits)
{
    size_t needed = (size_t)((stream->end + bits) / 8) + 16;
    if (needed <= stream->size) return 1;
    uint8_t *bytes = realloc(stream->bytes, 2 * needed);
    if (!bytes) return 0;
    memset(bytes + stream->size, 0, 2 * needed - stream->size);
    stream->bytes = bytes, stream->size = 2 * needed;
    return 1;
}

static void put(Stream *stream, uint64_t code, uint64_t bits)
{
    uint64_t word;
    memcpy(&word, stream->bytes + stream->end / 8, 8);
    word |= code << stream->end % 8;
    memcpy(stream->bytes + stream->end / 8, &word, 8);
    stream->end += bits;
}

static Py_ssize_t run_end(const uint8_t *plane, Py_ssize_t start, Py_ssize_t size)
{
    uint64_t word, same = plane[start] * UINT64_C(0x0101010101010101);
    Py_ssize_t end = start + 1;
    for (; end + 8 <= size; end += 8) {
        memcpy(&word, plane + end, 8);
        if (word != same) break;
    }
    while (end < size && plane[end] == plane[start]) end++;
    return end;
}

static int deflate_runs(const Py_buffer *arrays, Stream *stream)
{
    const Py_buffer *plane = arrays, *header = arrays + 2;
    const Py_ssize_t *shape = arrays[3].shape;
    const int64_t *layout = arrays[1].buf, *counts = arrays[4].buf, *sums = arrays[5].buf, *weighted = arrays[6].buf;
    const uint64_t *codes = arrays[3].buf;
    int fit = arrays[1].shape[0] == 4 && shape[0] <= 256 && shape[1] == LONGEST + 3 && arrays[4].shape[0] == shape[0] &&
              arrays[4].shape[1] == shape[1] && arrays[5].shape[0] == shape[0] && arrays[6].shape[0] == shape[0] &&
              layout[0] >= 1 && layout[0] <= 8 && layout[1] >= 0 && layout[1] <= 8 * header->len &&
              layout[3] >= 0 && layout[3] <= MAX_CODE_BITS && plane->len > 0 && plane->len <= MAX_ITEMS;
    for (Py_ssize_t i = 0; fit && i < shape[0] * shape[1]; i++) fit = counts[i] >= 0 && counts[i] <= MAX_CODE_BITS;
    for (Py_ssize_t i = 0; fit && i < shape[0]; i++)
        fit = sums[i] >= 0 && sums[i] <= MAX_SUM && weighted[i] >= 0 && weighted[i] <= LONGEST * MAX_SUM;
    if (!fit) return 0;
    const uint8_t *items = plane->buf;
    const int64_t item = layout[0], size = plane->len, bytes = size * item;
    int64_t low = 1, high = bytes; /* the two sums of the checksum (RFC 1950, 8.2), of whole runs at a time */
    if (!reserve(stream, 16 + 8 * header->len)) return -1;
    memcpy(stream->bytes, "\x78\x01", 2);
    memcpy(stream->bytes + 2, header->buf, header->len);
    stream->end = 16 + layout[1];
    for (int64_t start = 0, stop; start < size; start = stop) {
        const uint8_t number = items[start];
        if (number >= shape[0]) return 0;
        stop = run_end(items, start, size);
        const int64_t length = stop - start, before = item * (start * length + length * (length - 1) / 2);
        int64_t longest = (length - 1) * item / LONGEST, rest = (length - 1) * item % LONGEST;
        if (rest > 0 && rest < 3 && longest > 0) longest--, rest += LONGEST; /* too short for a match */
        if (!reserve(stream, 2 * longest + MAX_CODE_BITS)) return -1;
        put(stream, codes[number * shape[1] + rest], counts[number * shape[1] + rest]);
        stream->end += 2 * longest;
        low = (low + length * sums[number]) % ADLER_MODULUS;
        high = (high + (bytes * length - before) % ADLER_MODULUS * sums[number] - length * weighted[number]) % ADLER_MODULUS;
    }
    if (!reserve(stream, MAX_CODE_BITS + 7 + 32)) return -1;
    put(stream, layout[2], layout[3]);
    stream->end = (stream->end + 7) / 8 * 8;
    high = (high + ADLER_MODULUS) % ADLER_MODULUS;
    const uint8_t checksum[] = {(uint8_t)(high >> 8), (uint8_t)high, (uint8_t)(low >> 8), (uint8_t)low};
    memcpy(stream->bytes + stream->end / 8, checksum, 4);
    stream->end += 32;
    return 1;
}

/* ---- module ---------------------------------------------------------------------------------------------------- */

/* Opens the arrays, works on them, and closes them. `form` has two digits an array: its dimensions, 0 for any, and the
   bytes of an item. The first `written` arrays are written to. */
static PyObject *call(PyObject *args, const char *form, int written, Work *work)
{
    Py_buffer arrays[MAX_ARRAYS];
    Stream stream = {0};
    int opened = 0, done = 0, count = (int)strlen(form) / 2;
    if (PyTuple_GET_SIZE(args) == count) {
        for (done = 1; done == 1 && opened < count; opened++) {
            int flags = PyBUF_C_CONTIGUOUS | (opened < written ? PyBUF_WRITABLE : 0);
            Py_buffer *array = arrays + opened;
            if (PyObject_GetBuffer(PyTuple_GET_ITEM(args, opened), array, flags) < 0) break;
            if (form[2 * opened] != '0' && array->ndim != form[2 * opened] - '0') done = 0;
            if (array->itemsize != form[2 * opened + 1] - '0') done = 0;
        }
    }
    if (done == 1 && !PyErr_Occurred()) {
        Py_BEGIN_ALLOW_THREADS
        done = work(arrays, &stream);
        Py_END_ALLOW_THREADS
    }
    while (opened) PyBuffer_Release(arrays + --opened);
    if (done == 0) PyErr_SetString(PyExc_ValueError, "the arrays do not fit together, or hold what they must not");
    if (done < 0) PyErr_NoMemory();
    PyObject *result = PyErr_Occurred()  ? NULL
                       : stream.bytes    ? PyBytes_FromStringAndSize((char *)stream.bytes, (Py_ssize_t)(stream.end / 8))
                                         : Py_NewRef(Py_None);
    free(stream.bytes);
    return result;
}

static PyObject *call_resize(PyObject *self, PyObject *args) { return call(args, "2121142222", 1, resize); }
static PyObject *call_sum_blocks(PyObject *self, PyObject *args) { return call(args, "2818211414", 2, sum_blocks); }
static PyObject *call_draw_down(PyObject *self, PyObject *args) { return call(args, "21281414", 1, draw_down); }
static PyObject *call_draw_along(PyObject *self, PyObject *args) { return call(args, "21281414", 1, draw_along); }
static PyObject *call_deflate_runs(PyObject *self, PyObject *args) { return call(args, "01181128281818", 0, deflate_runs); }

static PyMethodDef methods[] = {
    {"resize", call_resize, METH_VARARGS, NULL},
    {"sum_blocks", call_sum_blocks, METH_VARARGS, NULL},
    {"draw_down", call_draw_down, METH_VARARGS, NULL},
    {"draw_along", call_draw_along, METH_VARARGS, NULL},
    {"deflate_runs", call_deflate_runs, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_kernel", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModule_Create(&definition); }
