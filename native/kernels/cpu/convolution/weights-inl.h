// The gradient of a convolution's weights: the tile's rows are neighbouring elements of a row of the kernel, k runs
// over pixels of the output, B is their gradient as it lies.

// Whole rows of up to 256 pixels make a block, of several images or of one, or part of a row; fewer where what they
// read is large.
template <class F>
static void for_pixel_blocks(const ConvolutionShape& shape, const Phase& phase, size_t first_image, size_t images,
                             F body) {
  const size_t rows = shape.height.output, columns = shape.width.output;
  const size_t room = convolution_workspace(shape) - convolution_operands;
  const auto fits = [&](size_t images_at_once, size_t rows_at_once) {
    const size_t across = columns < longest_block ? columns : longest_block;
    return images_at_once * window_of(phase.height, 0, rows_at_once).length * window_of(phase.width, 0, across).length *
               shape.channels <=
           room;
  };
  size_t images_at_once = rows * columns < longest_block ? longest_block / (rows * columns) : 1;
  size_t rows_at_once = columns < longest_block ? longest_block / columns : 1;
  if (rows_at_once > rows) rows_at_once = rows;
  while (images_at_once > 1 && !fits(images_at_once, rows)) images_at_once /= 2;
  while (rows_at_once > 1 && !fits(1, rows_at_once)) rows_at_once /= 2;
  const EvenCut of_images(images, images_at_once), of_rows(rows, rows_at_once), of_columns(columns, longest_block);
  for (size_t i = 0; i < of_images.parts; ++i)
    for (size_t r = 0; r < of_rows.parts; ++r)
      for (size_t c = 0; c < of_columns.parts; ++c)
        body(Band{first_image + of_images.first(i), of_images.length(i), of_rows.first(r), of_rows.length(r),
                  of_columns.first(c), of_columns.length(c)});
}

// A part of a chunk: rows [first, past) of the matrix (terms, filters).
template <class T>
struct WeightsPart {
  const ConvolutionWeights<T>& task;
  size_t first, past;
  Phase phase;
  T* sums;  // of its chunk
};

// The pixels of a band that a row of the kernel meets: a run for each row of the output.
struct PixelRuns {
  Range rows{0, 0};
  size_t runs = 0, starts[longest_block], b_starts[longest_block];

  template <class T>
  INLINE_PLAIN void set(const Range& meets, const Band& band, const Area<T>& area, size_t a_row, size_t b_row) {
    if (runs > 0 && meets == rows) return;
    rows = meets, runs = 0;
    for (size_t image = 0; image < band.images; ++image)
      for (size_t row = rows.first; row < rows.past; ++row, ++runs) {
        starts[runs] = image * area.image + row * a_row;
        b_starts[runs] = (image * band.rows + row) * b_row;
      }
  }
};

// The tiles of one panel of filters for the pixels of a band. Of many channels a tap has tiles of its own, so that
// columns that it does not meet are no terms.
template <class T>
static void multiply_terms(const WeightsPart<T>& part, const Band& band, const Area<T>& area, size_t group,
                           size_t column, Tile<T> tile) {
  const ConvolutionShape& shape = part.task.shape;
  const Walk& height = part.phase.height;
  const size_t of_group = shape.channels / shape.groups;
  const Terms terms(part.phase, shape.groups, of_group, of_group >= fewest_skipped);
  const Heights<T> heights(Along::rows, tile.columns);
  const size_t taps = terms.are_taps ? part.phase.width.taps : 1;
  const T* const b = tile.b;
  PixelRuns pixels;
  for (size_t row = part.first / terms.length; row < terms.rows && row * terms.length < part.past; ++row) {
    const size_t begin = row * terms.length, end = begin + terms.length;
    const Range elements = Range{part.first, part.past}.within(begin, end);
    const Range met = outputs_inside(height, row / taps).within(band.row, band.row + band.rows);
    pixels.set({met.first - band.row, met.past - band.row}, band, area, height.stride * area.row,
               band.columns * tile.b_row);
    const Range columns = terms.are_taps ? outputs_inside(part.phase.width, row % taps) : Range{0, SIZE_MAX};
    const Range across = columns.within(band.column, band.column + band.columns);
    const size_t skipped = across.first - band.column;
    if ((pixels.runs == 0 || across.length() == 0) && tile.beta == 1) continue;
    tile.k = across.length(), tile.b = b + skipped * tile.b_row;
    tile.starts = pixels.starts, tile.b_starts = pixels.b_starts, tile.runs = pixels.runs;
    const T* const a = area.at + static_cast<ptrdiff_t>(row / taps * height.step * area.row) +
                       row % taps * part.phase.width.step * shape.channels + group * of_group + skipped * tile.a_column;
    const EvenCut tiles(elements.length(), heights.most);
    for (size_t index = 0; index < tiles.parts; ++index) {
      const size_t element = elements.first + tiles.first(index);
      tile.a = a + (element - begin);
      tile.c = part.sums + element * shape.filters + column;
      heights.run[tiles.length(index) - 1](tile);
    }
  }
}

// Panels of some columns, pixel after pixel, as memory is read best.
template <class T>
static void pack_pixels(const T* dy, size_t filters, size_t pixels, size_t columns, T* panels) {
  constexpr size_t panel = Blocking<T>::panel;
  const size_t whole = columns / panel, rest = columns % panel;
  for (size_t pixel = 0; pixel < pixels; ++pixel, dy += filters, panels += panel) {
    copy_rows(dy, panel, whole, panel, panels, pixels * panel);
    copy_rows(dy + whole * panel, 0, rest > 0, rest, panels + whole * pixels * panel, 0);
  }
}

template <class T>
static void add_pixels(const WeightsPart<T>& part, const Band& band, const T* dy, bool is_first, T* workspace) {
  const ConvolutionShape& shape = part.task.shape;
  const size_t filters = shape.filters, of_group = filters / shape.groups;
  const Area<T> area = area_of(part.task.x, shape.channels, part.phase, band, false, workspace + convolution_operands);
  Tile<T> tile;
  tile.k = band.columns, tile.a_row = 1, tile.a_column = shape.width.stride * shape.channels;
  tile.c_row = filters, tile.alpha = 1, tile.beta = is_first ? T(0) : T(1);
  const size_t steps = band.images * band.rows * band.columns,
               at_once = convolution_operands / (steps * Blocking<T>::panel);
  const bool as_it_lies = shape.groups == 1 && filters <= Blocking<T>::panel && filters % Vec<T>::lanes == 0;
  for (size_t group = 0; group < shape.groups; ++group)
    for (size_t first = 0; first < of_group; first += at_once * Blocking<T>::panel) {
      const size_t left = of_group - first, column = group * of_group + first;
      const size_t columns = left < at_once * Blocking<T>::panel ? left : at_once * Blocking<T>::panel;
      if (!as_it_lies) pack_pixels(dy + column, filters, steps, columns, workspace);
      tile.b = as_it_lies ? dy : workspace, tile.b_row = as_it_lies ? filters : Blocking<T>::panel;
      for (size_t j = 0; j < columns; j += Blocking<T>::panel, tile.b += steps * Blocking<T>::panel) {
        tile.columns = static_cast<int>(columns - j < Blocking<T>::panel ? columns - j : Blocking<T>::panel);
        multiply_terms(part, band, area, group, column + j, tile);
      }
    }
}

template <class T>
static void convolution_weights(const ConvolutionWeights<T>& task, T* workspace) {
  const ConvolutionShape& shape = task.shape;
  const size_t chunks = chunks_of(shape), parts = parts_of_chunk(shape), terms = terms_of(shape);
  for (size_t index = task.first_part, end = index + task.parts; index < end;) {
    const size_t chunk = index / parts, cut = index % parts,
                 past = end - index < parts - cut ? cut + end - index : parts;
    const size_t first_image = shape.batch * chunk / chunks, past_image = shape.batch * (chunk + 1) / chunks;
    const WeightsPart<T> part{task, terms * cut / parts, terms * past / parts,
                              Phase{forward_walk(shape.height), forward_walk(shape.width), 0},
                              task.sums + chunk * stride_of_chunks(shape)};
    index += past - cut;
    bool is_first = true;
    for_pixel_blocks(shape, part.phase, first_image, past_image - first_image, [&](const Band& band) {
      const size_t pixel = (band.image * shape.height.output + band.row) * shape.width.output + band.column;
      const T* const dy = task.dy + pixel * shape.filters;
      if (task.with_weights) add_pixels(part, band, dy, is_first, workspace);
      if (task.with_bias && part.first == 0)
        column_sums(dy, band.images * band.rows * band.columns, shape.filters, shape.filters, is_first ? T(0) : T(1),
                    part.sums + weights_of(shape));
      is_first = false;
    });
  }
}
