def add_demo(root, folder): return dict(block='<div id="demo"></div>', says='without the demo')
