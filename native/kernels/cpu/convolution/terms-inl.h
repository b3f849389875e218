// The sum over k of a convolution: rows of equal length, each of which lies in one piece in the input, cut into blocks
// that do not depend on the instruction set.
constexpr size_t longest_block = 256;

// A row is a row of the kernel where its taps are neighbours, else one tap.
struct Terms {
  size_t rows, length;
  bool are_taps;
  EvenCut cut;  // of the rows, or, if they are longer than a block, of each row

  INLINE_PLAIN Terms(const Phase& phase, size_t groups, size_t channels, bool by_taps = false)
      : rows(phase.height.taps),
        length(phase.width.taps * channels),
        are_taps(by_taps || groups > 1 || phase.width.step > 1),
        cut(1, 1) {
    if (are_taps) rows *= phase.width.taps, length = channels;
    if (taps_of(phase) == 0) rows = 0;
    cut = length > longest_block ? EvenCut(length, longest_block)
                                 : EvenCut(rows, length ? longest_block / length : longest_block);
  }
  // Whether no block has several runs.
  INLINE_PLAIN bool have_own_blocks() const { return length > longest_block || cut.parts == rows; }
  // One of them is there even when there are no terms: outputs that meet nothing are written too.
  INLINE_PLAIN size_t blocks() const {
    const size_t blocks = length > longest_block ? rows * cut.parts : cut.parts;
    return blocks ? blocks : 1;
  }
};

// A block: `runs` stretches of k terms, of which the first is term `first` of all.
struct TermsBlock {
  size_t first, k, runs;
  size_t row, taps;              // the first run's row, and how many of them are one of the kernel
  size_t starts[longest_block];  // where the runs begin, from the first tap's pixel
};

template <class T>
static void set_block(const Terms& terms, const Phase& phase, const Area<T>& area, size_t channels, size_t index,
                      TermsBlock& block) {
  size_t row = 0, into = 0;
  block.taps = terms.are_taps ? phase.width.taps : 1;
  if (terms.rows == 0) {
    block.first = block.k = block.row = block.runs = 0;
    return;
  }
  if (terms.length > longest_block) {
    row = index / terms.cut.parts, into = terms.cut.first(index % terms.cut.parts);
    block.runs = 1, block.k = terms.cut.length(index % terms.cut.parts);
  } else {
    row = terms.cut.first(index), block.runs = terms.cut.length(index), block.k = terms.length;
  }
  block.row = row, block.first = row * terms.length + into;
  for (size_t r = 0; r < block.runs; ++r) {
    const size_t of = row + r, taps = block.taps;
    block.starts[r] = of / taps * phase.height.step * area.row + of % taps * phase.width.step * channels + into;
  }
}
// The runs that a row of the output meets: rows of the kernel above or below an image are no terms.
INLINE Range runs_inside(const Walk& height, const TermsBlock& block, size_t output) {
  const Range taps = taps_inside(height, output);
  const Range runs = Range{taps.first * block.taps, taps.past * block.taps}.within(block.row, block.row + block.runs);
  return {runs.first - block.row, runs.past - block.row};
}
// Columns beside an image are no terms where each is at least so many and serves more than so many outputs, or where
// outputs go by the phases of a stride, so that lines are short; others are read sooner from a border of zeros. By the
// shape alone, so that weights that are not finite do the same on every instruction set.
constexpr size_t fewest_skipped = 32, most_bordered = 16;
INLINE bool skips_columns(const Terms& terms, const Walk& width, size_t channels, size_t outputs) {
  return channels >= fewest_skipped && (outputs > most_bordered || width.pitch > 1) &&
         (!terms.are_taps || terms.have_own_blocks());
}
// The terms of each run that a column of the output meets.
INLINE Range terms_inside(const Walk& width, const TermsBlock& block, size_t channels, size_t output) {
  const size_t begin = block.first % (width.taps * channels);
  const Range taps = taps_inside(width, output);
  const Range terms = Range{taps.first * channels, taps.past * channels}.within(begin, begin + block.k);
  return {terms.first - begin, terms.past - begin};
}

// The outputs of a band that meet the same of a block: each of these runs, and these terms of each.
struct Box {
  Range rows, columns, runs, terms;
  INLINE_PLAIN bool is_empty() const { return runs.length() == 0 || terms.length() == 0; }
};
// body(box) for all of them; columns outside of the image are terms unless they are to be skipped.
template <class F>
INLINE void for_boxes(const Phase& phase, const Band& band, const TermsBlock& block, size_t channels, bool skips,
                      F body) {
  const auto runs_of = [&](size_t row) { return runs_inside(phase.height, block, band.row + row); };
  const auto terms_of = [&](size_t column) {
    return skips && block.k > 0 ? terms_inside(phase.width, block, channels, band.column + column) : Range{0, block.k};
  };
  for_equal_ranges(band.rows, runs_of, [&](const Range& rows, const Range& runs) {
    if (runs.length() == 0) return body(Box{rows, {0, band.columns}, runs, {0, 0}});
    for_equal_ranges(band.columns, terms_of, [&](const Range& columns, const Range& terms) {
      body(Box{rows, columns, runs, terms});
    });
  });
}
