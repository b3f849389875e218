// The kernels that the library has: each .cu file puts its own into the table. What is not put there stays null.
#pragma once
#include "../kernels.h"

namespace gradus::cuda {

template <class T>
void put_columns(Kernels<T>& table);
template <class T>
void put_elements(Kernels<T>& table);
template <class T>
void put_embedding(Kernels<T>& table);
template <class T>
void put_losses(Kernels<T>& table);
template <class T>
void put_matmul(Kernels<T>& table);
template <class T>
void put_metrics(Kernels<T>& table);
template <class T>
void put_moving(Kernels<T>& table);
template <class T>
void put_norms(Kernels<T>& table);
template <class T>
void put_random(Kernels<T>& table);
template <class T>
void put_updates(Kernels<T>& table);

template <class T>
void put_kernels(Kernels<T>& table) {
  put_columns(table), put_elements(table), put_embedding(table), put_losses(table), put_matmul(table);
  put_metrics(table), put_moving(table), put_norms(table), put_random(table), put_updates(table);
}

}  // namespace gradus::cuda
