// SPDX-License-Identifier: Apache-2.0
// What tools/make_bindings.py makes of a small contract's interface.
#include <gtest/gtest.h>

#include "chain/bindings/sample_shop.hpp"
#include "chain/bindings/tee_tee.hpp"
#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

using namespace sample_shop;

Order order() {
    return {
        .buyer = Address{1, 2, 3},
        .lines = {{.item = ByteArray<32>{9}, .count = 3}, {.item = ByteArray<32>{8}, .count = 1}},
        .total = U256::power_of_two(100)};
}

template <class T>
void expect_selector() {
    EXPECT_EQ(T::selector, abi_selector(T::signature)) << T::signature;
}

// The generator hashes on its own.
TEST(bindings, selectors_and_topics_are_those_of_the_signatures) {
    expect_selector<BuyForCall>();
    expect_selector<PlaceOrderCall>();
    expect_selector<PriceOfCall>();
    expect_selector<DomainSeparatorCall>();
    expect_selector<TooLateError>();
    expect_selector<NotOwnerError>();
    EXPECT_EQ(OrderPlacedEvent::topic, crypto::keccak256(as_bytes(OrderPlacedEvent::signature)));
    EXPECT_EQ(ClosedEvent::topic, crypto::keccak256(as_bytes(ClosedEvent::signature)));
}

TEST(bindings, calls_are_read_as_they_were_written) {
    const PlaceOrderCall call = {
        .order = order(), .signature_ = Bytes(65, 7), .limits = {1, 2, UINT64_MAX}};
    const auto encoded = call.encode();
    ASSERT_TRUE(encoded) << encoded.error().message();
    const auto decoded = PlaceOrderCall::decode(*encoded);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->order, call.order);
    EXPECT_EQ(decoded->signature_, call.signature_);
    EXPECT_EQ(decoded->limits, call.limits);
    EXPECT_EQ(BuyForCall::decode(*encoded).error().code, ErrorCode::abi_malformed);
    EXPECT_EQ(DomainSeparatorCall{}.encode()->size(), 4u);
}

TEST(bindings, values_that_do_not_fit_are_refused) {
    PlaceOrderCall call = {.order = order(), .limits = {1, 2, 3}};
    call.order.total = U256::power_of_two(128);
    EXPECT_EQ(call.encode().error().code, ErrorCode::abi_malformed);
    call.order.total = 1;
    call.order.lines[0].count = 65536;
    EXPECT_EQ(call.encode().error().code, ErrorCode::abi_malformed);
    call.order.lines[0].count = 65535;
    EXPECT_TRUE(call.encode());
    call.limits.pop_back();
    EXPECT_EQ(call.encode().error().code, ErrorCode::abi_malformed);
}

TEST(bindings, replies_have_their_fields) {
    for (const int64_t price : {int64_t{0}, int64_t{-1}, INT64_MIN, INT64_MAX}) {
        const std::vector<AbiValue> values = {
            price < 0 ? AbiValue(U256(~static_cast<uint64_t>(price) + 1).twos_complement())
                      : AbiValue(static_cast<uint64_t>(price)),
            AbiValue::of(as_bytes("tea")), uint64_t{1}};
        const auto data = encode_abi(abi_types({"int64", "string", "bool"}), values).value();
        const auto reply = PriceOfCall::decode_reply(data);
        ASSERT_TRUE(reply) << reply.error().message();
        EXPECT_EQ(reply->price, price);
        EXPECT_EQ(reply->name, "tea");
        EXPECT_TRUE(reply->known);
    }
    EXPECT_EQ(PriceOfCall::decode_reply({}).error().code, ErrorCode::abi_malformed);
    const PriceOfCall call = {.shift = -5};
    EXPECT_EQ(PriceOfCall::decode(call.encode().value())->shift, -5);
}

TEST(bindings, events_have_indexed_and_other_fields) {
    const Digest note = crypto::keccak256(as_bytes("a note"));
    Digest buyer{};
    buyer[12] = 0xab;
    Digest id{};
    id[31] = 5;
    const std::vector<Digest> topics = {OrderPlacedEvent::topic, id, buyer, note};
    const std::vector<AbiValue> values = {order().to_abi(), uint64_t{1}};
    const auto data =
        encode_abi(abi_types({"(address,(bytes32,uint16)[],uint128)", "bool"}), values).value();
    const auto event = OrderPlacedEvent::decode({.topics = topics, .data = data});
    ASSERT_TRUE(event) << event.error().message();
    EXPECT_EQ(event->order_id, U256(5));
    EXPECT_EQ(event->buyer[0], 0xab);
    EXPECT_EQ(event->note, note);
    EXPECT_EQ(event->order, order());
    EXPECT_TRUE(event->paid);
    EXPECT_FALSE(ClosedEvent::decode({.topics = topics, .data = data}));
    const std::vector<Digest> closed = {ClosedEvent::topic};
    EXPECT_TRUE(ClosedEvent::decode({.topics = closed, .data = {}}));
}

TEST(bindings, events_are_read_as_they_were_written) {
    const OrderPlacedEvent event = {
        .order_id = 5, .buyer = Address{1, 2}, .note = Digest{3}, .order = order(), .paid = true};
    const auto encoded = event.encode();
    ASSERT_TRUE(encoded) << encoded.error().message();
    EXPECT_EQ(encoded->topics.size(), 4u);
    EXPECT_EQ(OrderPlacedEvent::decode({.topics = encoded->topics, .data = encoded->data}).value(),
              event);
    EXPECT_EQ(ClosedEvent{}.encode()->topics, std::vector<Digest>{ClosedEvent::topic});
}

// The contract's own interface: the events that ChainView is made of.
TEST(bindings, the_contracts_interface_has_its_selectors) {
    expect_selector<tee_tee::SettleCall>();
    expect_selector<tee_tee::RegisterNodeCall>();
    EXPECT_EQ(tee_tee::NodeRegisteredEvent::topic,
              crypto::keccak256(as_bytes(tee_tee::NodeRegisteredEvent::signature)));
    EXPECT_FALSE(tee_tee::errors().empty());
}

TEST(bindings, declared_errors_are_told) {
    const std::vector<AbiValue> times = {uint64_t{5}, uint64_t{7}};
    const auto data =
        encode_call(TooLateError::selector, abi_types({"uint64", "uint64"}), times).value();
    EXPECT_EQ(TooLateError::decode(data)->now, 7u);
    EXPECT_EQ(describe_revert(data, errors()), "TooLate(5, 7)");
    EXPECT_EQ(describe_revert(NotOwnerError::selector, errors()), "NotOwner()");
}

TEST(bindings, constructor_arguments_stand_behind_the_code) {
    const auto data =
        ConstructorArguments{.owner = Address{1}, .wei_per_credit = 1'000'000}.encode();
    EXPECT_EQ(data->size(), 64u);
}

}  // namespace
}  // namespace teetee::chain
