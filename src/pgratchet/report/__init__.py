"""Reports: values of the model in, text out. Nothing here prints."""
