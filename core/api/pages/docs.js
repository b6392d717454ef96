// Shows the OpenAPI document with forms to try each operation.
window.SwaggerUIBundle({
	url: 'openapi.json',
	dom_id: '#docs',
	deepLinking: true,
	showExtensions: true, // with x-role
	defaultModelsExpandDepth: 0,
	validatorUrl: null, // which would send the document elsewhere
});
