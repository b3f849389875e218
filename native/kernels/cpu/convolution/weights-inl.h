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

// The tiles of one panel of filters for the pixels that `tile` tells.
template <class T>
static void multiply_terms(const WeightsPart<T>& part, const Area<T>& area, size_t group, size_t column, Tile<T> tile) {
  const ConvolutionShape& shape = part.task.shape;
  const size_t of_group = shape.channels / shape.groups;
  const Terms terms(part.phase, shape.groups, of_group);
  const auto& run = tile_table<T>.run[in_panel_for_runs][(static_cast<size_t>(tile.columns) - 1) / Vec<T>::lanes];
  const size_t taps = terms.are_taps ? part.phase.width.taps : 1;
  for (size_t row = part.first / terms.length; row < terms.rows && row * terms.length < part.past; ++row) {
    const size_t begin = row * terms.length, end = begin + terms.length;
    const size_t from = part.first > begin ? part.first : begin, past = part.past < end ? part.past : end;
    const T* const a = area.at + row / taps * part.phase.height.step * area.row +
                       row % taps * part.phase.width.step * shape.channels + group * of_group;
    const EvenCut tiles(past - from, tile_rows);
    for (size_t index = 0; index < tiles.parts; ++index) {
      const size_t element = from + tiles.first(index);
      tile.a = a + (element - begin);
      tile.c = part.sums + element * shape.filters + column;
      run[tiles.length(index) - 1](tile);
    }
  }
}

template <class T>
static void add_pixels(const WeightsPart<T>& part, const Band& band, const T* dy, bool is_first, T* workspace) {
  const ConvolutionShape& shape = part.task.shape;
  const size_t filters = shape.filters, of_group = filters / shape.groups;
  const Area<T> area = area_of(part.task.x, shape.channels, part.phase, band, workspace + convolution_operands);
  size_t starts[longest_block];
  Tile<T> tile;
  tile.starts = starts, tile.runs = band.images * band.rows, tile.k = band.columns;
  for (size_t run = 0; run < tile.runs; ++run)
    starts[run] = run / band.rows * area.image + run % band.rows * shape.height.stride * area.row;
  tile.a_row = 1, tile.a_column = shape.width.stride * shape.channels;
  tile.c_row = filters, tile.alpha = 1, tile.beta = is_first ? T(0) : T(1);
  const size_t steps = tile.runs * tile.k;
  for (size_t group = 0; group < shape.groups; ++group)
    for (size_t j = 0; j < of_group; j += Blocking<T>::panel) {
      const size_t column = group * of_group + j, left = of_group - j;
      const size_t width = left < Blocking<T>::panel ? left : Blocking<T>::panel;
      tile.columns = static_cast<int>(width);
      tile.b = dy + column, tile.b_row = filters;
      if (width != filters || width % Vec<T>::lanes != 0) {
        copy_rows(dy + column, filters, steps, width, workspace, Blocking<T>::panel);
        tile.b = workspace, tile.b_row = Blocking<T>::panel;
      }
      multiply_terms(part, area, group, column, tile);
    }
}

template <class T>
static void convolution_weights(const ConvolutionWeights<T>& task, T* workspace) {
  const ConvolutionShape& shape = task.shape;
  const size_t chunks = chunks_of(shape), parts = parts_of_chunk(shape), terms = terms_of(shape);
  for (size_t index = task.first_part; index < task.first_part + task.parts; ++index) {
    const size_t chunk = index / parts, cut = index % parts;
    const size_t first_image = shape.batch * chunk / chunks, past_image = shape.batch * (chunk + 1) / chunks;
    const WeightsPart<T> part{task, terms * cut / parts, terms * (cut + 1) / parts,
                              Phase{forward_walk(shape.height), forward_walk(shape.width), 0},
                              task.sums + chunk * stride_of_chunks(shape)};
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
