#include "embedder/minilm/safetensors.h"

#include "fixtures.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reads a file of HEADER and LENGTH bytes of DATA and expects the error WHY. */
static void refused(const char *header, size_t length, const char *why)
{
	static const unsigned char data[64];
	struct ss_error err = {0};
	size_t file_length;
	unsigned char *bytes = safetensors_bytes(header, data, length, &file_length);
	struct safetensors *weights =
		safetensors_read(bytes, file_length, "w.safetensors", &value_functions, &err);
	cr_expect_null(weights, "%s", header);
	cr_expect_not_null(strstr(err.text, "w.safetensors: "), "%s", err.text);
	cr_expect_not_null(strstr(err.text, why), "%s: %s", header, err.text);
	safetensors_free(weights);
	free(bytes);
}

/* Reads four elements of TYPE from DATA and checks the floats that they become. */
static void widened(const char *type, const void *data, size_t length, const float expected[4])
{
	char header[200];
	float floats[4];
	struct ss_error err = {0};
	size_t file_length;
	/* One byte more in the header moves the data to an odd address. */
	(void)snprintf(header, sizeof header,
		"{\"t\":{\"dtype\":\"%s\",\"shape\":[2,2],\"data_offsets\":[0,%zu]}}%s", type,
		length, strlen(type) % 2 == 0 ? " " : "");
	unsigned char *bytes = safetensors_bytes(header, data, length, &file_length);
	struct safetensors *weights =
		safetensors_read(bytes, file_length, "w", &value_functions, &err);
	cr_assert_not_null(weights, "%s", err.text);
	const struct tensor *tensor = safetensors_get(weights, "t", 2, 2, &err);
	cr_assert_not_null(tensor, "%s", err.text);
	tensor_widen(tensor, 0, 4, floats);
	for (size_t i = 0; i < 4; i++)
		cr_expect(memcmp(&floats[i], &expected[i], sizeof *floats) == 0 ||
				  (isnan(floats[i]) && isnan(expected[i])),
			"%s[%zu]: %g, expected %g", type, i, (double)floats[i],
			(double)expected[i]);
	tensor_widen(tensor, 3, 1, floats);
	cr_expect(floats[0] == expected[3] || isnan(expected[3]));
	safetensors_free(weights);
	free(bytes);
}

Test(safetensors, reads_32_bit_floats)
{
	const float floats[4] = {1.5f, -0.0f, INFINITY, 1e-40f};
	widened("F32", floats, sizeof floats, floats);
}

Test(safetensors, reads_half_floats)
{
	const uint16_t plain[4] = {0x3c00, 0xc000, 0x7bff, 0x8000};
	widened("F16", plain, sizeof plain, (const float[4]){1, -2, 65504, -0.0f});
	const uint16_t small[4] = {0x0001, 0x83ff, 0x0400, 0x2e66};
	widened("F16", small, sizeof small,
		(const float[4]){0x1p-24f, -0x1.ff8p-15f, 0x1p-14f, 0x1.998p-4f});
	const uint16_t special[4] = {0x7c00, 0xfc00, 0x7e00, 0x7c01};
	widened("F16", special, sizeof special, (const float[4]){INFINITY, -INFINITY, NAN, NAN});
}

Test(safetensors, reads_bfloats)
{
	const uint16_t values[4] = {0x3f80, 0xc040, 0x7f80, 0x0001};
	widened("BF16", values, sizeof values, (const float[4]){1, -3, INFINITY, 0x1p-133f});
}

Test(safetensors, finds_tensors_by_name_whatever_their_order)
{
	const char *header = "{\"__metadata__\":{\"format\":\"pt\"},"
			     "\"z\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[4,12]},"
			     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
			     "\"m\":{\"dtype\":\"U8\",\"shape\":[0,7],\"data_offsets\":[12,12]}}";
	static const unsigned char data[12];
	struct ss_error err = {0};
	size_t length;
	unsigned char *bytes = safetensors_bytes(header, data, sizeof data, &length);
	struct safetensors *weights = safetensors_read(bytes, length, "w", &value_functions, &err);
	cr_assert_not_null(weights, "%s", err.text);
	cr_expect_eq(safetensors_find(weights, "a"), safetensors_at(weights, 0));
	cr_expect_eq(safetensors_find(weights, "m"), safetensors_at(weights, 1));
	cr_expect_eq(safetensors_find(weights, "z"), safetensors_at(weights, 2));
	cr_expect_null(safetensors_at(weights, 3));
	cr_expect_null(safetensors_find(weights, "__metadata__"));
	safetensors_free(weights);
	free(bytes);
}

Test(safetensors, says_which_tensor_is_missing_or_of_another_type_or_shape)
{
	const char *header = "{\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
			     "\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]}}";
	static const unsigned char data[16];
	struct ss_error err = {0};
	size_t length;
	unsigned char *bytes = safetensors_bytes(header, data, sizeof data, &length);
	struct safetensors *weights = safetensors_read(bytes, length, "w", &value_functions, &err);
	cr_assert_not_null(weights, "%s", err.text);
	cr_expect_null(safetensors_get(weights, "bias", 0, 2, &err));
	cr_expect_not_null(strstr(err.text, "bias is missing"), "%s", err.text);
	cr_expect_null(safetensors_get(weights, "ids", 0, 1, &err));
	cr_expect_not_null(strstr(err.text, "ids has the type I64"), "%s", err.text);
	cr_expect_null(safetensors_get(weights, "w", 2, 1, &err));
	cr_expect_not_null(strstr(err.text, "w has another shape"), "%s", err.text);
	cr_expect_null(safetensors_get(weights, "w", 0, 2, &err));
	cr_expect_not_null(safetensors_get(weights, "w", 1, 2, &err));
	safetensors_free(weights);
	free(bytes);
}

Test(safetensors, refuses_a_header_that_is_no_map_of_tensors)
{
	refused("", 0, "is not a JSON map");
	refused("[1]", 0, "is not a JSON map");
	refused("{\"t\":", 0, "is not a JSON map");
	refused("{\"t\":7}", 0, "the tensor t is not described by a map");
	refused("{\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "t has no dtype");
	refused("{\"t\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8,
		"t has no dtype");
}

Test(safetensors, refuses_shapes_that_cannot_be)
{
	refused("{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 8, "t has no shape");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 8,
		"t has an impossible shape");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[0.5],\"data_offsets\":[0,4]}}", 8,
		"t has an impossible shape");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]"
		"}}",
		8, "t has an impossible shape");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
		8, "t has no shape");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 8,
		"t has 4 bytes, but its type and shape take 8");
}

Test(safetensors, refuses_data_outside_of_the_file)
{
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 8,
		"t ends at byte 12 of the data, but the file has only 8");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}", 8,
		"t has no data_offsets");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 8,
		"t has no data_offsets");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 8,
		"t has no data_offsets");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}"
		"}",
		8, "but the file has only 8");
}

Test(safetensors, refuses_a_header_longer_than_the_file)
{
	static const uint64_t lengths[] = {3, 100, (uint64_t)1 << 62, UINT64_MAX, UINT64_MAX - 7};
	struct ss_error err = {0};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		unsigned char bytes[10] = {[8] = '{', [9] = '}'};
		memcpy(bytes, &lengths[i], sizeof lengths[i]);
		cr_expect_null(
			safetensors_read(bytes, sizeof bytes, "short", &value_functions, &err));
		cr_expect_not_null(strstr(err.text, "short: the header is said to have"));
	}
	cr_expect_null(safetensors_read("abc", 3, "short", &value_functions, &err));
	cr_expect_not_null(strstr(err.text, "the file has 3 in all"), "%s", err.text);
}

Test(safetensors, refuses_the_real_file_cut_anywhere)
{
	static const size_t lengths[] = {0, 1, 8, 9, 5000, 11409, 1 << 20, 45441936};
	struct ss_error err = {0};
	need_file(MODEL_FILE);
	char *folder = folder_new();
	char path[200];
	(void)snprintf(path, sizeof path, "%s/cut", folder);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		char command[600];
		(void)snprintf(command, sizeof command, "head -c %zu '" MODEL_FILE "' > %s",
			lengths[i], path);
		cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
		cr_expect_null(safetensors_open(path, &value_functions, &err), "%zu", lengths[i]);
		cr_expect_not_null(strstr(err.text, "download it again"), "%s", err.text);
	}
	folder_remove(folder);
}

Test(safetensors, says_that_a_file_is_missing_or_a_folder)
{
	struct ss_error err = {0};
	cr_expect_null(safetensors_open("/nonexistent/w", &value_functions, &err));
	cr_expect_eq(err.status, SS_NOT_FOUND);
	cr_expect_not_null(strstr(err.text, "/nonexistent/w"));
	cr_expect_null(safetensors_open("/tmp", &value_functions, &err));
	cr_expect_not_null(strstr(err.text, "/tmp: is not a file"));
}
