// A model of the BERT family as an ONNX file, from the weights that the embedder reads: the graph that ONNX Runtime runs
// best, with the fused operators that its own optimizer makes of such models
// (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
import fs from 'node:fs';
import protobuf from 'protobufjs';

// What is used of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
const { root } = protobuf.parse(`
	syntax = "proto2";
	message Tensor { repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9; }
	message Attribute { optional string name = 1; optional float f = 2; optional int64 i = 3; repeated int64 ints = 8; optional int32 type = 20; }
	message Node { repeated string input = 1; repeated string output = 2; optional string op_type = 4; repeated Attribute attribute = 5; optional string domain = 7; }
	message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
	message Shape { repeated Dimension dim = 1; }
	message TensorType { optional int32 elem_type = 1; optional Shape shape = 2; }
	message Type { optional TensorType tensor_type = 1; }
	message ValueInfo { optional string name = 1; optional Type type = 2; }
	message Graph { repeated Node node = 1; optional string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
	message OperatorSet { optional string domain = 1; optional int64 version = 2; }
	message Model { optional int64 ir_version = 1; optional Graph graph = 7; repeated OperatorSet opset_import = 8; }
`);

const [FLOAT, INT32] = [1, 6];

function widen(half) {
	const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
	if (exponent === 0) return sign * fraction * 2 ** -24;
	return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// The tensors of a file in the safetensors format, as floats by name.
function readWeights(file) {
	const bytes = fs.readFileSync(file);
	const length = Number(bytes.readBigUInt64LE(0));
	const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
	const weights = new Map();
	for (const [name, { dtype, shape, data_offsets: place }] of Object.entries(header)) {
		if (name === '__metadata__' || !['F16', 'F32'].includes(dtype)) continue;
		const data = bytes.subarray(8 + length + place[0], 8 + length + place[1]);
		const floats = new Float32Array(data.length / (dtype === 'F16' ? 2 : 4));
		for (let i = 0; i < floats.length; i++) floats[i] = dtype === 'F16' ? widen(data.readUInt16LE(2 * i)) : data.readFloatLE(4 * i);
		weights.set(name, { shape, floats });
	}
	return weights;
}

// A matrix [out][in] as [in][out].
function transposed({ shape: [out, width], floats }) {
	const result = new Float32Array(floats.length);
	for (let o = 0; o < out; o++) for (let i = 0; i < width; i++) result[i * out + o] = floats[o * width + i];
	return { shape: [width, out], floats: result };
}

// Matrices [in][out] side by side.
function beside(matrices) {
	const [rows, columns] = matrices[0].shape;
	const floats = new Float32Array(rows * columns * matrices.length);
	for (let r = 0; r < rows; r++)
		matrices.forEach((matrix, m) => floats.set(matrix.floats.subarray(r * columns, (r + 1) * columns), (r * matrices.length + m) * columns));
	return { shape: [rows, columns * matrices.length], floats };
}

class Graph {
	nodes = [];
	initializers = [];

	constant(name, { shape, floats }) {
		const raw = Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
		this.initializers.push({ name, dims: shape, dataType: FLOAT, rawData: raw });
		return name;
	}

	node(type, input, output, attributes = {}, domain = 'com.microsoft') {
		const attribute = Object.entries(attributes).map(([name, value]) => {
			if (Array.isArray(value)) return { name, ints: value, type: 7 };
			return Number.isInteger(value) ? { name, i: value, type: 2 } : { name, f: value, type: 1 };
		});
		this.nodes.push({ opType: type, input, output: [].concat(output), attribute, domain });
		return [].concat(output)[0];
	}
}

const value = (name, type, dims) => ({ name, type: { tensorType: { elemType: type, shape: { dim: dims.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) } } } });

function addLayer(graph, weights, index, states, heads, epsilon) {
	const name = `encoder.layer.${index}`;
	const get = (part) => weights.get(`${name}.${part}`);
	const vector = (part) => graph.constant(`${name}.${part}`, get(part));
	const matrix = (part) => graph.constant(`${name}.${part}`, transposed(get(part)));
	const parts = ['query', 'key', 'value'].map((part) => `attention.self.${part}`);
	const projection = graph.constant(`${name}.projection`, beside(parts.map((part) => transposed(get(`${part}.weight`)))));
	const bias = graph.constant(`${name}.projection.bias`, beside(parts.map((part) => ({ shape: [1, get(`${part}.bias`).floats.length], floats: get(`${part}.bias`).floats }))));
	const flat = graph.initializers.at(-1);
	flat.dims = [flat.dims[1]];
	const norm = (input, skip, part, dense) =>
		graph.node('SkipLayerNormalization', [input, skip, vector(`${part}.LayerNorm.weight`), vector(`${part}.LayerNorm.bias`), vector(`${dense}.bias`)], `${name}.${part}`, { epsilon });
	const multiply = (input, part) => graph.node('MatMul', [input, matrix(`${part}.weight`)], `${name}.${part}.product`, {}, '');
	const attended = graph.node('Attention', [states, projection, bias, 'mask'], `${name}.attended`, { num_heads: heads });
	const first = norm(multiply(attended, 'attention.output.dense'), states, 'attention.output', 'attention.output.dense');
	const raised = graph.node('BiasGelu', [multiply(first, 'intermediate.dense'), vector('intermediate.dense.bias')], `${name}.raised`);
	return norm(multiply(raised, 'output.dense'), first, 'output', 'output.dense');
}

// The bytes of the ONNX file: inputs ids and types [batch][tokens] and mask [batch], the number of tokens of each
// text; output the vectors [batch][width], the mean over the tokens, of length 1.
export function bert(file, { layers = 6, heads = 12, epsilon = 1e-12 } = {}) {
	const weights = readWeights(file);
	const graph = new Graph();
	const width = weights.get('embeddings.LayerNorm.weight').floats.length;
	const names = ['word_embeddings', 'position_embeddings', 'token_type_embeddings'].map((name) => `embeddings.${name}.weight`);
	const tables = [...names, 'embeddings.LayerNorm.weight', 'embeddings.LayerNorm.bias'].map((name) => graph.constant(name, weights.get(name)));
	let states = graph.node('EmbedLayerNormalization', ['ids', 'types', ...tables], ['embedded', 'unused'], { epsilon });
	for (let i = 0; i < layers; i++) states = addLayer(graph, weights, i, states, heads, epsilon);
	const mean = graph.node('ReduceMean', [states], 'mean', { axes: [1], keepdims: 0 }, '');
	graph.node('LpNormalization', [mean], 'vectors', { axis: -1, p: 2 }, '');
	const Model = root.lookupType('Model');
	return Model.encode(
		Model.fromObject({
			irVersion: 8,
			opsetImport: [{ domain: '', version: 17 }, { domain: 'com.microsoft', version: 1 }],
			graph: {
				name: 'bert',
				node: graph.nodes,
				initializer: graph.initializers,
				input: [value('ids', INT32, ['batch', 'tokens']), value('types', INT32, ['batch', 'tokens']), value('mask', INT32, ['batch'])],
				output: [value('vectors', FLOAT, ['batch', width])],
			},
		}),
	).finish();
}
