// SPDX-License-Identifier: Apache-2.0
#include "model/weights.hpp"

#include <algorithm>

namespace teetee::model {
namespace {

std::string shape_text(const std::vector<uint64_t>& dimensions) {
    std::string text;
    for (const uint64_t d : dimensions) text += (text.empty() ? "" : " x ") + std::to_string(d);
    return text;
}

}  // namespace

WeightLoader::WeightLoader(const Gguf& gguf, const WeightSource& source, tensor::ThreadPool& pool,
                           Progress progress, PackedCache* cache)
    : gguf_(gguf), source_(source), pool_(pool), progress_(std::move(progress)), cache_(cache) {
    for (const GgufTensor& t : gguf.tensors()) total_bytes_ += t.bytes;
}

void WeightLoader::report(uint64_t bytes) {
    // A tensor that serves twice is read twice.
    done_bytes_ = std::min(done_bytes_ + bytes, total_bytes_);
    if (progress_) progress_(done_bytes_, total_bytes_);
}

Result<const GgufTensor*> WeightLoader::take(const std::string& name,
                                             const std::vector<uint64_t>& dimensions) {
    const GgufTensor* found = gguf_.find_tensor(name);
    if (found == nullptr) return fail(ErrorCode::tensor_missing, name);
    if (found->dimensions != dimensions) {
        return fail(
            ErrorCode::tensor_shape_wrong,
            name + ": have " + shape_text(found->dimensions) + ", need " + shape_text(dimensions));
    }
    if (!tensor::is_computable(found->type)) {
        return fail(ErrorCode::tensor_type_unsupported,
                    name + ": have " + std::string(tensor::to_string(found->type)) +
                        ", need F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 or Q2_K to Q6_K");
    }
    taken_.insert(name);
    return found;
}

Result<Bytes> WeightLoader::read(const GgufTensor& tensor) {
    Bytes data(static_cast<size_t>(tensor.bytes));
    TensorStream stream(source_, tensor, pool_);
    TT_CHECK(stream.read(data));
    stream.hash(data);
    TT_CHECK(stream.finish());
    report(tensor.bytes);
    return data;
}

Result<void> WeightLoader::pack_step(TensorStream& stream, const tensor::MatrixView& step,
                                     uint8_t* out) {
    step_.resize(step.rows * row_bytes(step));
    TT_CHECK(stream.read(step_));
    const size_t panel_bytes = tensor::packed_bytes(step.type, tensor::panel_rows, step.columns);
    const size_t panel_count = (step.rows + tensor::panel_rows - 1) / tensor::panel_rows;
    // One thread hashes while the others pack.
    pool_.run(1 + panel_count, 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            if (i == 0) {
                stream.hash(step_);
                continue;
            }
            const size_t first = (i - 1) * tensor::panel_rows;
            tensor::MatrixView panel = step;
            panel.rows = std::min(tensor::panel_rows, step.rows - first);
            panel.data =
                ByteView(step_).subspan(first * row_bytes(step), panel.rows * row_bytes(step));
            tensor::pack_matrix(panel, out + (i - 1) * panel_bytes);
        }
    });
    report(step_.size());
    return {};
}

Result<std::vector<tensor::PackedMatrix>> WeightLoader::pack(const GgufTensor& tensor,
                                                             std::span<const uint64_t> row_counts,
                                                             uint64_t columns) {
    std::vector<tensor::PackedMatrix> matrices;
    bool is_cached = cache_ != nullptr;
    for (const uint64_t rows : row_counts) {
        const tensor::MatrixShape shape = {static_cast<size_t>(rows), static_cast<size_t>(columns)};
        auto& matrix = matrices.emplace_back(tensor.type, shape);
        if (cache_ != nullptr) is_cached &= cache_->take(matrix.storage(), pool_);
    }
    if (is_cached) {
        report(tensor.bytes);
        return matrices;
    }
    TensorStream stream(source_, tensor, pool_);
    for (tensor::PackedMatrix& matrix : matrices) {
        tensor::MatrixView step = {tensor.type, 0, matrix.columns(), {}};
        constexpr size_t step_bytes = 4 << 20;
        const size_t step_panels =
            std::max<size_t>(1, step_bytes / (tensor::panel_rows * row_bytes(step)));
        for (size_t row = 0; row < matrix.rows(); row += step.rows) {
            step.rows = std::min(step_panels * tensor::panel_rows, matrix.rows() - row);
            TT_CHECK(pack_step(stream, step,
                               matrix.storage().data() +
                                   tensor::packed_bytes(tensor.type, row, matrix.columns())));
        }
    }
    TT_CHECK(stream.finish());
    return matrices;
}

Result<Table> WeightLoader::table(const std::string& name, uint64_t rows, uint64_t columns) {
    TT_TRY(const GgufTensor* const found, take(name, {columns, rows}));
    Table table;
    TT_TRY(table.data, read(*found));
    table.view = {found->type, static_cast<size_t>(rows), static_cast<size_t>(columns), table.data};
    return table;
}

Result<tensor::PackedMatrix> WeightLoader::matrix(const std::string& name, uint64_t rows,
                                                  uint64_t columns) {
    const uint64_t row_counts[] = {rows};
    TT_TRY(auto matrices, split(name, row_counts, columns));
    return std::move(matrices.front());
}

Result<std::vector<tensor::PackedMatrix>> WeightLoader::split(const std::string& name,
                                                              std::span<const uint64_t> row_counts,
                                                              uint64_t columns) {
    uint64_t row_count = 0;
    for (const uint64_t rows : row_counts) row_count += rows;
    TT_TRY(const GgufTensor* const found, take(name, {columns, row_count}));
    return pack(*found, row_counts, columns);
}

Result<std::vector<tensor::PackedMatrix>> WeightLoader::experts(const std::string& name,
                                                                uint64_t count, uint64_t rows,
                                                                uint64_t columns) {
    TT_TRY(const GgufTensor* const found, take(name, {columns, rows, count}));
    return pack(*found, std::vector<uint64_t>(count, rows), columns);
}

Result<std::vector<float>> WeightLoader::vector(const std::string& name, uint64_t length) {
    const GgufTensor* found = gguf_.find_tensor(name);
    if (found == nullptr) return fail(ErrorCode::tensor_missing, name);
    const std::vector<uint64_t> wanted = {length};
    if (found->dimensions != wanted) {
        return fail(
            ErrorCode::tensor_shape_wrong,
            name + ": have " + shape_text(found->dimensions) + ", need " + shape_text(wanted));
    }
    if (found->type != tensor::DataType::f32 && found->type != tensor::DataType::f16 &&
        found->type != tensor::DataType::bf16) {
        return fail(ErrorCode::tensor_type_unsupported, name + ": need F32, F16 or BF16");
    }
    taken_.insert(name);
    std::vector<float> values(static_cast<size_t>(length));
    TT_TRY(const Bytes data, read(*found));
    tensor::dequantise_row({found->type, 1, values.size(), data}, 0, values.data());
    return values;
}

Result<void> WeightLoader::ensure_all_taken(std::string_view prefix) const {
    return ensure_all_taken([&](std::string_view name) { return name.starts_with(prefix); });
}

Result<void> WeightLoader::ensure_all_taken(
    const std::function<bool(std::string_view name)>& is_served) const {
    for (const GgufTensor& t : gguf_.tensors()) {
        if (is_served(t.name) && !taken_.contains(t.name)) {
            return fail(ErrorCode::architecture_unsupported,
                        "tensor " + quote_foreign(t.name) + " is not part of this architecture");
        }
    }
    return {};
}

}  // namespace teetee::model
