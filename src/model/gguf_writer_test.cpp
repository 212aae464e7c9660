// SPDX-License-Identifier: Apache-2.0
#include "model/gguf_writer.hpp"

#include <gtest/gtest.h>

#include "model/test_model.hpp"

namespace teetee::model {
namespace {

TEST(gguf_writer, copies_a_file_byte_for_byte) {
    const Bytes file = test_model();
    const auto gguf = Gguf::parse(file);
    ASSERT_TRUE(gguf);
    GgufWriter writer;
    for (const GgufEntry& entry : gguf->entries()) writer.copy(entry);
    for (const GgufTensor& tensor : gguf->tensors()) writer.tensor(tensor, gguf->data(tensor));
    EXPECT_EQ(writer.file_bytes(), file.size());
    EXPECT_EQ(written(writer), file);
}

TEST(gguf_writer, writes_an_empty_file) {
    const Bytes file = written(GgufWriter());
    const auto gguf = Gguf::parse(file);
    ASSERT_TRUE(gguf);
    EXPECT_TRUE(gguf->entries().empty());
    EXPECT_TRUE(gguf->tensors().empty());
}

TEST(gguf_writer, follows_the_alignment_entry) {
    const Bytes data(8, 1);
    GgufWriter writer;
    writer.u32("general.alignment", 128);
    writer.tensor({"a", {8}, tensor::DataType::i8, 0, 8}, data);
    writer.tensor({"b", {8}, tensor::DataType::i8, 0, 8}, data);
    const Bytes file = written(writer);
    const auto gguf = Gguf::parse(file);
    ASSERT_TRUE(gguf) << gguf.error().message();
    EXPECT_EQ(gguf->alignment(), 128u);
    EXPECT_EQ(gguf->tensors()[1].offset - gguf->tensors()[0].offset, 128u);

    GgufWriter copier;
    for (const GgufEntry& entry : gguf->entries()) copier.copy(entry);
    for (const GgufTensor& tensor : gguf->tensors()) copier.tensor(tensor, gguf->data(tensor));
    EXPECT_EQ(written(copier), file);
}

TEST(gguf_writer, refuses_data_of_another_size) {
    const Bytes data(7, 1);
    GgufWriter writer;
    writer.tensor({"a", {8}, tensor::DataType::i8, 0, 8}, data);
    Bytes file;
    const auto result = writer.write(append_to(file));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message(), "invalid_argument: 'a': have 7 bytes, need 8");
    EXPECT_TRUE(file.empty());
}

TEST(gguf_writer, passes_on_the_error_of_the_sink) {
    const auto full = [](ByteView) -> Result<void> { return fail(ErrorCode::io_failed, "full"); };
    EXPECT_EQ(GgufWriter().write(full).error().code, ErrorCode::io_failed);
}

}  // namespace
}  // namespace teetee::model
