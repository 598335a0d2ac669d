"""The script that Streamlit runs. It has a folder of its own: beside `pages` Streamlit would take that for its pages."""
