// Shows the OpenAPI document to read.

// Redoc's menu ends with a picture from its maker's host. Nothing is asked of other hosts here.
const image = HTMLImageElement.prototype;
const { setAttribute } = Element.prototype;
const { set } = Object.getOwnPropertyDescriptor(image, 'src');
const isHere = (url) => new URL(url, document.baseURI).origin === location.origin;
image.setAttribute = function (name, value) {
	if (name !== 'src' || isHere(value)) setAttribute.call(this, name, value);
};
Object.defineProperty(image, 'src', {
	set(url) {
		if (isHere(url)) set.call(this, url);
	},
});

window.Redoc.init('openapi.json', { nativeScrollbars: true }, document.getElementById('redoc'));
