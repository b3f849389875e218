// Lines of pixels, neighbours in the same line being as far from each other in the input as in all of them, and in the
// output: the rows of a band, or several of them where one goes on where the other ends.
template <class T>
struct Lines {
  size_t images, rows, length;
  const T* a;
  size_t a_image, a_row, a_pixel;
  size_t c_image, c_row, c_pixel, c_first;
  const size_t* c_pixels = nullptr;  // where each pixel of the output lies, where they are listed
};

template <class T>
static Lines<T> lines_of(const Convolution<T>& task, const Phase& phase, const Band& band, const Area<T>& area) {
  const bool back = task.transposed;
  const size_t inputs = back ? task.shape.filters : task.shape.channels;
  const size_t outputs = back ? task.shape.channels : task.shape.filters;
  const size_t width = back ? task.shape.width.input : task.shape.width.output;
  const Walk &height = phase.height, &across = phase.width;
  Lines<T> lines{band.images,
                 band.rows,
                 band.columns,
                 area.at,
                 area.image,
                 height.stride * area.row,
                 across.stride * inputs,
                 0,
                 height.pitch * width * outputs,
                 across.pitch * outputs,
                 0};
  lines.c_image = task.rows_of_image() * width * outputs;
  lines.c_first = band.image * lines.c_image + (height.first + band.row * height.pitch) * width * outputs +
                  (across.first + band.column * across.pitch) * outputs;
  return lines;
}
// Rows and columns [first, past) of each image.
template <class T>
INLINE Lines<T> box_of(Lines<T> lines, const Range& rows, const Range& columns) {
  lines.a += static_cast<ptrdiff_t>(rows.first * lines.a_row + columns.first * lines.a_pixel);
  lines.c_first += rows.first * lines.c_row + columns.first * lines.c_pixel;
  lines.rows = rows.length(), lines.length = columns.length();
  return lines;
}
template <class T>
INLINE void join_lines(Lines<T>& lines) {
  const size_t row = lines.length, image = lines.rows * row;
  const bool joins_rows = lines.rows == 1 || (lines.a_row == row * lines.a_pixel && lines.c_row == row * lines.c_pixel);
  const bool joins_images =
      lines.images == 1 || (lines.a_image == image * lines.a_pixel && lines.c_image == image * lines.c_pixel);
  if (!joins_rows || !joins_images) return;
  lines.length *= lines.rows * lines.images;
  lines.rows = lines.images = 1;
}

// Boxes of few pixels a row fill few rows of a tile: the inputs of their pixels are gathered, a block at a time,
// whichever images, rows and columns they are of. The copy is worth more where several panels read it.
constexpr size_t most_gathered = convolution_operands / (longest_block + 32);
template <class T>
INLINE bool gathers(const GroupSize<T>& size, const Phase& phase, const Box& box) {
  constexpr size_t narrow_for_one = 4, narrow_for_several = 6;
  return box.columns.length() < (size.panels > 1 ? narrow_for_several : narrow_for_one) && taps_of(phase) > 1 &&
         !box.is_empty();
}
// body(lines, tile) of as many lines of a box at once as there is room for.
template <class T, class F>
static void for_gathered(const Lines<T>& lines, Tile<T> tile, T* copies, F body) {
  const size_t k = tile.k, to_row = Blocking<T>::a_row(tile.runs * k), all = lines.images * lines.rows;
  size_t starts[longest_block], c_pixels[most_gathered];
  const size_t* const from_starts = tile.starts;
  for (size_t run = 0; run < tile.runs; ++run) starts[run] = run * k;
  tile.starts = starts;
  const EvenCut parts(all, most_gathered / lines.length);
  for (size_t part = 0; part < parts.parts; ++part) {
    T* to = copies;
    size_t* c_pixel = c_pixels;
    for (size_t line = parts.first(part), past = line + parts.length(part); line < past; ++line) {
      const size_t image = line / lines.rows, row = line % lines.rows;
      const T* from = lines.a + image * lines.a_image + row * lines.a_row;
      size_t c = lines.c_first + image * lines.c_image + row * lines.c_row;
      for (size_t pixel = 0; pixel < lines.length; ++pixel, from += lines.a_pixel, c += lines.c_pixel, to += to_row) {
        for (size_t run = 0; run < tile.runs; ++run) copy_rows(from + from_starts[run], 0, 1, k, to + run * k, 0);
        *c_pixel++ = c;
      }
    }
    Lines<T> gathered = lines;
    gathered.images = gathered.rows = 1, gathered.length = parts.length(part) * lines.length;
    gathered.a = copies, gathered.a_pixel = to_row, gathered.c_pixels = c_pixels;
    body(gathered, tile);
  }
}
