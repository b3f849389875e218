// The filters, packed once a pass.

// Channels of the input and of the output in one group, and panels of the latter.
template <class T>
struct GroupSize {
  size_t inputs, outputs, panels;
  INLINE_PLAIN explicit GroupSize(const Convolution<T>& task) {
    const size_t channels = task.shape.channels / task.shape.groups, filters = task.shape.filters / task.shape.groups;
    inputs = task.transposed ? filters : channels, outputs = task.transposed ? channels : filters;
    panels = (outputs + Blocking<T>::panel - 1) / Blocking<T>::panel;
  }
};
// Elements of the packed filters of one panel for each tap.
template <class T>
INLINE size_t panel_of_tap(const GroupSize<T>& size) {
  return size.inputs * Blocking<T>::panel;
}

// Of one tap, in all panels of all groups: of the weights as they lie, or transposed.
template <class T>
static void pack_tap(const Convolution<T>& task, const GroupSize<T>& size, const T* weights, size_t panel, T* to) {
  const size_t filters = task.shape.filters;
  for (size_t group = 0; group < task.shape.groups; ++group)
    for (size_t j = 0; j < size.outputs; j += Blocking<T>::panel, to += panel) {
      const size_t left = size.outputs - j, width = left < Blocking<T>::panel ? left : Blocking<T>::panel;
      if (task.transposed)
        copy_transposed(weights + j * filters + group * size.inputs, filters, width, size.inputs, to,
                        Blocking<T>::panel);
      else
        copy_rows(weights + group * size.outputs + j, filters, size.inputs, width, to, Blocking<T>::panel);
    }
}

// Packed: by phases, groups, panels, taps as the walks meet them, rows of a panel.
template <class T>
static void pack_filters(const Convolution<T>& task, size_t first_tap, size_t taps, T* packed) {
  const GroupSize<T> size(task);
  const size_t of_tap = task.shape.channels / task.shape.groups * task.shape.filters;
  for_phases(task, [&](const Phase& phase) {
    T* const of_phase = packed + phase.taps_before * task.shape.groups * size.panels * panel_of_tap(size);
    for (size_t i = 0; i < phase.height.taps; ++i)
      for (size_t j = 0; j < phase.width.taps; ++j) {
        const size_t row = static_cast<size_t>(phase.height.kernel +
                                               static_cast<ptrdiff_t>(i) * phase.height.kernel_step),
                     column =
                         static_cast<size_t>(phase.width.kernel + static_cast<ptrdiff_t>(j) * phase.width.kernel_step);
        const size_t tap = row * task.shape.width.kernel + column;
        if (tap < first_tap || tap >= first_tap + taps) continue;
        pack_tap(task, size, task.weights + tap * of_tap, taps_of(phase) * panel_of_tap(size),
                 of_phase + (i * phase.width.taps + j) * panel_of_tap(size));
      }
  });
}
