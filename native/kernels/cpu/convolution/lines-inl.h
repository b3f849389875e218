// Lines of pixels, neighbours in the same line being as far from each other in the input as in all of them, and in the
// output: the rows of a band, or several of them where one goes on where the other ends.
template <class T>
struct Lines {
  size_t images, rows, length;
  const T* a;
  size_t a_image, a_row, a_pixel;
  size_t c_image, c_row, c_pixel, c_first;
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
// Of the output alone: the input may lie as it will.
template <class T>
INLINE bool is_dense(const Lines<T>& lines) {
  return (lines.rows == 1 || lines.c_row == lines.length * lines.c_pixel) &&
         (lines.images == 1 || lines.c_image == lines.rows * lines.length * lines.c_pixel);
}
// The rows [first, past) of each image.
template <class T>
INLINE Lines<T> rows_of(Lines<T> lines, const Range& rows) {
  lines.a += static_cast<ptrdiff_t>(rows.first * lines.a_row);
  lines.c_first += rows.first * lines.c_row, lines.rows = rows.length();
  return lines;
}
template <class T>
INLINE void join_lines(Lines<T>& lines) {
  const bool joins_rows = lines.rows == 1 || lines.a_row == lines.length * lines.a_pixel;
  const bool joins_images = lines.images == 1 || lines.a_image == lines.rows * lines.length * lines.a_pixel;
  if (!is_dense(lines) || !joins_rows || !joins_images) return;
  lines.length *= lines.rows * lines.images;
  lines.rows = lines.images = 1;
}

// Maps of few pixels a row fill few rows of a tile: where the copy is read by several panels the inputs of all pixels
// are gathered, a block of terms at a time.
constexpr size_t narrow = 8, most_gathered = convolution_operands / (longest_block + 32);
template <class T>
INLINE bool gathers(const Convolution<T>& task, const Phase& phase) {
  return phase.width.outputs < narrow && phase.width.pitch == 1 && phase.height.pitch == 1 && taps_of(phase) > 1 &&
         GroupSize<T>(task).panels > 1;
}
// Their inputs by the runs from `first` on.
template <class T>
static void gather(const Lines<T>& lines, const TermsBlock& block, const Range& runs, size_t to_row, T* to) {
  for (size_t image = 0; image < lines.images; ++image)
    for (size_t row = 0; row < lines.rows; ++row) {
      const T* from = lines.a + image * lines.a_image + row * lines.a_row;
      for (size_t pixel = 0; pixel < lines.length; ++pixel, from += lines.a_pixel, to += to_row)
        for (size_t r = 0; r < runs.length(); ++r)
          copy_rows(from + block.starts[runs.first + r], 0, 1, block.k, to + r * block.k, 0);
    }
}
